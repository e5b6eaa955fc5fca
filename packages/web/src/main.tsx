import { render } from "preact";
import { Page } from "./parts/page.tsx";
import { beginConnectionWatch } from "./state/connection.ts";
import { signInAsRemembered } from "./state/session.ts";
import { applyTheme } from "./state/theme.ts";
import { watchSession } from "./state/uploads.ts";

applyTheme();
beginConnectionWatch();
watchSession();
void signInAsRemembered();

const root = document.getElementById("page");
if (root !== null) render(<Page />, root);
