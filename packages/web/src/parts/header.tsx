import { view } from "../state/route.ts";
import { canUpload, isOperator, session, signOut } from "../state/session.ts";
import type { Theme } from "../state/theme.ts";
import { nextTheme, theme } from "../state/theme.ts";
import { Coil } from "./coil.tsx";
import type { IconName } from "./icon.tsx";
import { Icon } from "./icon.tsx";

export function Header() {
  const current = session.value;
  return (
    <header class="header">
      <a class="brand" href="#" aria-label="Hawser, to your uploads">
        <Coil turns={2} />
        <span>Hawser</span>
      </a>
      {isOperator.value && canUpload.value && <Views />}
      <div class="header-end">
        {current !== undefined && (
          <span class="who" title={`App ${current.me.app.id}`}>
            {current.me.app.name}
          </span>
        )}
        <ThemeSwitch />
        {current !== undefined && (
          <button
            type="button"
            class="icon-button"
            aria-label="Sign out"
            title="Sign out"
            onClick={signOut}
          >
            <Icon name="leave" />
          </button>
        )}
      </div>
    </header>
  );
}

function Views() {
  return (
    <nav class="views" aria-label="Views">
      <a href="#" aria-current={view.value === "uploads" ? "page" : undefined}>
        Uploads
      </a>
      <a href="#live" aria-current={view.value === "operator" ? "page" : undefined}>
        Live
      </a>
    </nav>
  );
}

const looks: Readonly<Record<Theme, { readonly icon: IconName; readonly words: string }>> = {
  system: { icon: "device", words: "Colours: as the device" },
  light: { icon: "sun", words: "Colours: light" },
  dark: { icon: "moon", words: "Colours: dark" },
};

function ThemeSwitch() {
  const { icon, words } = looks[theme.value];
  return (
    <button type="button" class="icon-button" aria-label={words} title={words} onClick={nextTheme}>
      <Icon name={icon} />
    </button>
  );
}
