// Puts what needs no compiling beside the compiled modules: `npm run build` runs tsc, then this.
import { copyFileSync } from "node:fs";

for (const name of ["index.html", "style.css", "icon.svg"]) {
  copyFileSync(new URL(`page/${name}`, import.meta.url), new URL(`dist/${name}`, import.meta.url));
}
