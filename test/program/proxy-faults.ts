import type { Change, ProxyName } from "../support/documented-proxy.ts";

/** What may be wrong in a proxy, and what `hawser doctor` is to say about it. */
export interface ProxyFault {
  readonly proxy: ProxyName;
  readonly what: string;
  readonly changes: readonly Change[];
  readonly probe: string;
  readonly fault: string;
  /** What of the advice names the setting. */
  readonly words: string;
}

/**
 * Each fault in every proxy that can have it. Certificates are in doctor-tls.campaign.ts. Only
 * HAProxy is late with an answer while a body is silent: the others count from the body's end.
 */
export const proxyFaults: readonly ProxyFault[] = [
  {
    proxy: "nginx",
    what: "stripped CORS headers",
    changes: [
      ["proxy_http_version", "proxy_hide_header Access-Control-Allow-Origin; proxy_http_version"],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "proxy_hide_header",
  },
  {
    proxy: "caddy",
    what: "stripped CORS headers",
    changes: [
      [
        "lb_policy least_conn",
        "lb_policy least_conn\n    header_down -Access-Control-Allow-Origin",
      ],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "header -Access-Control",
  },
  {
    proxy: "nginx",
    what: "no underscores_in_headers",
    changes: [["underscores_in_headers on;", ""]],
    probe: "request-header",
    fault: "header-dropped",
    words: "underscores_in_headers on;",
  },
  {
    proxy: "nginx",
    what: "request buffering",
    changes: [["proxy_request_buffering off;", ""]],
    probe: "request-buffering",
    fault: "body-held",
    words: "proxy_request_buffering off;",
  },
  {
    proxy: "nginx",
    what: "the usual cap on bodies",
    changes: [["client_max_body_size 0;", ""]],
    probe: "body-cap",
    fault: "body-capped",
    words: "client_max_body_size 0;",
  },
  {
    proxy: "nginx",
    what: "a short client_body_timeout",
    changes: [["client_body_timeout 60s;", "client_body_timeout 1s;"]],
    probe: "silence",
    fault: "silence-cut",
    words: "client_body_timeout 60s;",
  },
  {
    proxy: "nginx",
    what: "compression",
    changes: [["client_max_body_size 0;", "client_max_body_size 0; gzip on; gzip_types *;"]],
    probe: "answers",
    fault: "answer-altered",
    words: "gzip off;",
  },
  {
    proxy: "nginx",
    what: "no keep-alive",
    changes: [["client_max_body_size 0;", "client_max_body_size 0; keepalive_timeout 0;"]],
    probe: "connections",
    fault: "connection-not-kept",
    words: "keepalive_timeout 60s;",
  },
  {
    proxy: "nginx",
    what: "the upstream's name as host",
    changes: [
      ["proxy_set_header Host $http_host;", ""],
      ["proxy_set_header X-Forwarded-Host $http_host;", ""],
    ],
    probe: "address",
    fault: "address-unknown",
    words: "proxy_set_header X-Forwarded-Host $http_host;",
  },
  {
    proxy: "nginx",
    what: "methods left out",
    changes: [["location / {", "location / { limit_except GET POST OPTIONS { deny all; }"]],
    probe: "methods",
    fault: "method-refused",
    words: "limit_except",
  },
  {
    proxy: "haproxy",
    what: "a rule that drops the header",
    changes: [
      ["default_backend hawser", "http-request del-header file_offset\n  default_backend hawser"],
    ],
    probe: "request-header",
    fault: "header-dropped",
    words: "del-header",
  },
  {
    proxy: "haproxy",
    what: "request buffering",
    changes: [["option http-no-delay", "option http-buffer-request\n  option http-no-delay"]],
    probe: "request-buffering",
    fault: "body-held",
    words: "no option http-buffer-request",
  },
  {
    proxy: "haproxy",
    what: "a cap on bodies",
    changes: [
      [
        "default_backend hawser",
        "http-request deny deny_status 413 if { req.body_size gt 5000000 }\n  default_backend hawser",
      ],
    ],
    probe: "body-cap",
    fault: "body-capped",
    words: "req.body_size",
  },
  {
    proxy: "haproxy",
    what: "a short timeout server",
    changes: [["timeout server 180s", "timeout server 1s"]],
    probe: "silence",
    fault: "answer-late",
    words: "timeout server 180s",
  },
  {
    proxy: "haproxy",
    what: "a short timeout http-request over a buffered body",
    changes: [["option http-no-delay", "option http-buffer-request\n  timeout http-request 1s"]],
    probe: "silence",
    fault: "silence-cut",
    words: "timeout http-request",
  },
  {
    proxy: "haproxy",
    what: "compression",
    changes: [
      ["option http-no-delay", "compression algo gzip\n  compression type application/pdf"],
    ],
    probe: "answers",
    fault: "answer-altered",
    words: "compression",
  },
  {
    proxy: "haproxy",
    what: "no keep-alive",
    changes: [["option http-no-delay", "option httpclose"]],
    probe: "connections",
    fault: "connection-not-kept",
    words: "no option httpclose",
  },
  {
    proxy: "haproxy",
    what: "a wrong Date",
    changes: [
      [
        "default_backend hawser",
        'http-response set-header Date "Tue, 01 Jan 2019 00:00:00 GMT"\n  default_backend hawser',
      ],
    ],
    probe: "clock",
    fault: "clock-differs",
    words: "NTP",
  },
  {
    proxy: "caddy",
    what: "a rule that drops the header",
    changes: [["lb_policy least_conn", "lb_policy least_conn\n    header_up -file_offset"]],
    probe: "request-header",
    fault: "header-dropped",
    words: "header_up -file_offset",
  },
  {
    proxy: "caddy",
    what: "request buffering",
    changes: [["lb_policy least_conn", "lb_policy least_conn\n    buffer_requests"]],
    probe: "request-buffering",
    fault: "body-held",
    words: "buffer_requests",
  },
  {
    proxy: "caddy",
    what: "a cap on bodies",
    changes: [["reverse_proxy", "request_body {\n    max_size 5MB\n  }\n  reverse_proxy"]],
    probe: "body-cap",
    fault: "body-capped",
    words: "request_body { max_size",
  },
  {
    proxy: "caddy",
    what: "a short read_body",
    changes: [
      ["admin off", "admin off\n  servers {\n    timeouts {\n      read_body 1s\n    }\n  }"],
    ],
    probe: "silence",
    fault: "silence-cut",
    words: "read_body",
  },
  {
    proxy: "caddy",
    what: "compression",
    changes: [
      [
        "reverse_proxy",
        "encode {\n    gzip\n    match {\n      header Content-Type application/pdf*\n    }\n  }\n  reverse_proxy",
      ],
    ],
    probe: "answers",
    fault: "answer-altered",
    words: "encode",
  },
  {
    proxy: "haproxy",
    what: "stripped CORS headers",
    changes: [
      [
        "default_backend hawser",
        "http-response del-header Access-Control-Allow-Origin\n  default_backend hawser",
      ],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "del-header Access-Control",
  },
  {
    proxy: "nginx",
    what: "headers that pages may not read",
    changes: [
      ["proxy_http_version", "proxy_hide_header Access-Control-Expose-Headers; proxy_http_version"],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "proxy_hide_header",
  },
  {
    proxy: "nginx",
    what: "preflights that know Graph's headers alone",
    changes: [
      [
        "location / {",
        'location / {\n    if ($request_method = OPTIONS) {\n      add_header Access-Control-Allow-Origin "*";\n      add_header Access-Control-Allow-Headers "authorization,content-type,file_offset";\n      return 204;\n    }',
      ],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "pass OPTIONS on",
  },
  {
    proxy: "haproxy",
    what: "preflights that know Graph's headers alone",
    changes: [
      [
        "default_backend hawser",
        'http-request return status 204 hdr Access-Control-Allow-Origin "*" hdr Access-Control-Allow-Headers "authorization,content-type,file_offset" if METH_OPTIONS\n  default_backend hawser',
      ],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "pass OPTIONS on",
  },
  {
    proxy: "caddy",
    what: "preflights that know Graph's headers alone",
    changes: [
      [
        "reverse_proxy",
        '@preflight method OPTIONS\n  header @preflight Access-Control-Allow-Origin "*"\n  header @preflight Access-Control-Allow-Headers "authorization,content-type,file_offset"\n  respond @preflight 204\n  reverse_proxy',
      ],
    ],
    probe: "cors",
    fault: "cors-missing",
    words: "pass OPTIONS on",
  },
  {
    proxy: "nginx",
    what: "PATCH left out",
    changes: [
      ["location / {", "location / { limit_except GET POST PUT DELETE OPTIONS { deny all; }"],
    ],
    probe: "methods",
    fault: "method-refused",
    words: "limit_except",
  },
  {
    proxy: "haproxy",
    what: "PATCH left out",
    changes: [
      ["default_backend hawser", "http-request deny if { method PATCH }\n  default_backend hawser"],
    ],
    probe: "methods",
    fault: "method-refused",
    words: "http-request deny",
  },
  {
    proxy: "caddy",
    what: "PATCH left out",
    changes: [["reverse_proxy", "@patch method PATCH\n  respond @patch 405\n  reverse_proxy"]],
    probe: "methods",
    fault: "method-refused",
    words: "@name method",
  },
  {
    proxy: "nginx",
    what: "a wrong Date",
    changes: [
      [
        "client_max_body_size 0;",
        'client_max_body_size 0; add_header Date "Tue, 01 Jan 2019 00:00:00 GMT" always;',
      ],
    ],
    probe: "clock",
    fault: "clock-differs",
    words: "add_header Date",
  },
  {
    proxy: "caddy",
    what: "a wrong Date",
    changes: [
      [
        "lb_policy least_conn",
        'lb_policy least_conn\n    header_down Date "Tue, 01 Jan 2019 00:00:00 GMT"',
      ],
    ],
    probe: "clock",
    fault: "clock-differs",
    words: "header_down Date",
  },
  {
    proxy: "haproxy",
    what: "another host than the client's",
    changes: [
      [
        "http-request set-header X-Forwarded-Host %[req.hdr(Host)]",
        "http-request set-header Host hawser.internal",
      ],
    ],
    probe: "address",
    fault: "address-unknown",
    words: "set-header X-Forwarded-Host",
  },
  {
    proxy: "caddy",
    what: "another host than the client's",
    changes: [
      [
        "lb_policy least_conn",
        "lb_policy least_conn\n    header_up X-Forwarded-Host hawser.internal",
      ],
    ],
    probe: "address",
    fault: "address-unknown",
    words: "header_up X-Forwarded",
  },
  {
    proxy: "caddy",
    what: "no keep-alive",
    changes: [["reverse_proxy", "header Connection close\n  reverse_proxy"]],
    probe: "connections",
    fault: "connection-not-kept",
    words: "header Connection close",
  },
];
