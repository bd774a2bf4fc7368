// Puts what needs no compiling beside the compiled modules: `npm run build` runs tsc, then this.
import { copyFileSync, readdirSync } from "node:fs";

for (const name of readdirSync(new URL("page/", import.meta.url)).filter((name) => !name.endsWith(".ts"))) {
  copyFileSync(new URL(`page/${name}`, import.meta.url), new URL(`dist/${name}`, import.meta.url));
}
