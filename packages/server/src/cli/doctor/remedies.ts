/** What can be wrong, each with its own remedy. */
export type Fault =
  | "header-dropped"
  | "body-held"
  | "body-capped"
  | "silence-cut"
  | "answer-late"
  | "interim-answer-breaks"
  | "interim-answer-lost"
  | "method-refused"
  | "answer-altered"
  | "connection-not-kept"
  | "address-unknown"
  | "clock-differs"
  | "certificate"
  | "not-encrypted"
  | "cors-missing"
  | "upload-does-not-go-on";

export const proxyKinds = ["nginx", "haproxy", "caddy"] as const;
export type ProxyKind = (typeof proxyKinds)[number];

/** Lines of configuration, or what to look for in it; `hawser` is the server's own. */
export type Remedy = Readonly<Partial<Record<ProxyKind | "hawser", readonly string[]>>>;

const forwarding: Remedy = {
  nginx: [
    "proxy_set_header Host $http_host;",
    "proxy_set_header X-Forwarded-Host $http_host;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
  ],
  haproxy: [
    "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
    "http-request set-header X-Forwarded-Host %[req.hdr(Host)]",
  ],
  caddy: ["remove header_up Host and header_up X-Forwarded-… from reverse_proxy"],
  hawser: ["hawser serve --trust-proxy, or --public-url with the address that clients use"],
};

/** The words are those of docs/operating.md, where the whole configurations are. */
export const remedies: Readonly<Record<Fault, Remedy>> = Object.freeze({
  "header-dropped": {
    nginx: ["underscores_in_headers on;   (in server { }, the first one of its port)"],
    haproxy: ["remove the http-request del-header rule that names file_offset"],
    caddy: ["remove header_up -file_offset, request_header -file_offset"],
  },
  "body-held": {
    nginx: ["proxy_request_buffering off;", "proxy_http_version 1.1;"],
    haproxy: [
      "no option http-buffer-request   (and no rule that waits: http-request wait-for-body)",
    ],
    caddy: ["remove request_buffers (buffer_requests, max_buffer_size) from reverse_proxy"],
  },
  "body-capped": {
    nginx: ["client_max_body_size 0;"],
    haproxy: ["remove the http-request deny rule on req.body_size or hdr(content-length)"],
    caddy: ["remove request_body { max_size … }"],
  },
  "silence-cut": {
    nginx: ["client_body_timeout 60s;", "proxy_send_timeout 60s;"],
    haproxy: [
      "timeout client 60s",
      "timeout http-request: longer, or no option http-buffer-request",
    ],
    caddy: ["remove read_body from servers { timeouts { … } }"],
  },
  "answer-late": {
    nginx: ["proxy_read_timeout 180s;"],
    haproxy: ["timeout server 180s"],
    caddy: ["remove read_timeout and response_header_timeout from transport http"],
  },
  "interim-answer-breaks": {
    nginx: ["no setting helps: it gives no answer after a 104"],
    haproxy: ["HAProxy 2.6 passes a 104 on; look at what else stands before the server"],
    caddy: ["Caddy 2.6 passes a 104 on; look at what else stands before the server"],
    hawser: ["hawser serve without --interim-answers"],
  },
  "interim-answer-lost": {
    nginx: ["no setting helps: it passes no 104 on"],
    haproxy: ["HAProxy 2.6 passes a 104 on; look at what else stands before the server"],
    caddy: ["Caddy 2.6 passes a 104 on; look at what else stands before the server"],
    hawser: ["hawser serve without --interim-answers, if no client needs them"],
  },
  "method-refused": {
    nginx: ["remove limit_except, or the if on $request_method"],
    haproxy: ["remove the http-request deny rule on the method"],
    caddy: ["remove the matcher on method (@name method …) from reverse_proxy, respond or abort"],
  },
  "answer-altered": {
    nginx: ["gzip off;   (and no sub_filter, no proxy_hide_header)"],
    haproxy: ["remove compression algo and compression type", "remove http-response del-header"],
    caddy: ["remove encode, or leave it to what is not Hawser's"],
  },
  "connection-not-kept": {
    nginx: ["keepalive_timeout 60s;   (0 switches it off)"],
    haproxy: ["timeout http-keep-alive 60s", "no option httpclose"],
    caddy: ["remove header Connection close; servers { timeouts { idle 5m } }"],
  },
  "address-unknown": forwarding,
  "clock-differs": {
    nginx: ["set the clocks of the proxy and of the nodes by NTP; remove add_header Date"],
    haproxy: ["set the clocks of the nodes by NTP; remove http-response set-header Date"],
    caddy: ["set the clocks of the nodes by NTP; remove header Date and header_down Date"],
    hawser: ["chronyc tracking, or timedatectl, on each node and here"],
  },
  certificate: {
    nginx: ["ssl_certificate: the whole chain, renewed, for this name; then nginx -s reload"],
    haproxy: ["bind :443 ssl crt: the whole chain and the key, renewed, for this name; reload"],
    caddy: ["the site's name in place of :443, so that Caddy gets a certificate; no tls internal"],
  },
  "not-encrypted": {
    nginx: ["listen 443 ssl; ssl_certificate …; ssl_certificate_key …;"],
    haproxy: ["bind :443 ssl crt …"],
    caddy: ["the site's name in place of :80"],
  },
  "cors-missing": {
    nginx: ["pass OPTIONS on; remove proxy_hide_header Access-Control-…"],
    haproxy: ["pass OPTIONS on; remove http-response del-header Access-Control-…"],
    caddy: ["pass OPTIONS on; remove header -Access-Control-…"],
    hawser: ["hawser serve --cors-origins with that origin among them"],
  },
  "upload-does-not-go-on": {
    nginx: ["one upstream for all of Hawser's paths; no proxy_cache, no rewrite of them"],
    haproxy: ["one backend for all of Hawser's paths; no http-request set-path"],
    caddy: ["one reverse_proxy for all of Hawser's paths; no rewrite, no uri strip_prefix"],
    hawser: ["where there are several nodes, each with the same --catalog and --blobs"],
  },
});
