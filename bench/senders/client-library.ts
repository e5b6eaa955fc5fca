import { upload } from "hawser-client";

/* One upload by the client library, as a script of its user's would do it: PORT APP TOKEN FILE */
const [port = "", appId = "", token = "", file = ""] = process.argv.slice(2);
await upload(file, { url: `http://127.0.0.1:${port}`, appId, token, type: "video/mp4" });
