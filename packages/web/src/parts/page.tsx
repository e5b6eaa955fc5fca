import { announcement } from "../state/announcements.ts";
import { session } from "../state/session.ts";
import { view } from "../state/route.ts";
import { Dialogs } from "./dialogs.tsx";
import { Header } from "./header.tsx";
import { OperatorView } from "../operator/operator-view.tsx";
import { SignIn } from "./sign-in.tsx";
import { Uploads } from "./uploads.tsx";

export function Page() {
  return (
    <>
      <Header />
      <main id="main">{session.value === undefined ? <SignIn /> : <View />}</main>
      <Dialogs />
      <div class="unseen" role="status" aria-live="polite">
        {announcement}
      </div>
    </>
  );
}

function View() {
  return view.value === "operator" ? <OperatorView /> : <Uploads />;
}
