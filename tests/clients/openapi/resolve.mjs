// Finds `./x` as `./x.js` or `./x/index.js`, as a bundler does.

import { existsSync, statSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

registerHooks({
  resolve(name, context, next) {
    if (!name.startsWith(".")) return next(name, context);
    const base = new URL(name, context.parentURL).href;
    const there = (url) => existsSync(fileURLToPath(url)) && statSync(fileURLToPath(url)).isFile();
    const found = ["", ".js", "/index.js"].map((end) => base + end).find(there);
    return next(found ?? name, context);
  },
});
