// Builds static/build/: one stylesheet in layers, three script bundles, fonts, the icon sprite.
//
//   node tools/build_front_end.mjs            build
//   node tools/build_front_end.mjs --sizes    build and print the gzip sizes beside their budgets
//
// Everything comes from node_modules and static/; nothing is fetched.

import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";
import { bundleAsync } from "lightningcss";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCE = join(ROOT, "static");
const OUT = join(SOURCE, "build");
const MODULES = join(ROOT, "node_modules");

const FONTS = [
  ["@fontsource-variable/inter/files", "inter"],
  ["@fontsource-variable/source-serif-4/files", "source-serif-4"],
];
const SCRIPTS = ["latin", "cyrillic", "greek"];

// Budgets of the interface's design, in bytes after gzip.
const BUDGETS = { "signet.css": 16384, "mailbox.js": 40960, "composer.js": 61440, "sprite.svg": 5120 };

// lightningcss writes a version as 0xMMmmpp: the first releases with light-dark().
const version = (major, minor = 0) => (major << 16) | (minor << 8);
const TARGETS = { chrome: version(123), firefox: version(120), safari: version(17, 5) };

async function buildStyles() {
  for (const name of ["signet.css", "admin.css"]) {
    const { code } = await bundleAsync({
      filename: join(SOURCE, "css", name),
      minify: true,
      targets: TARGETS,
    });
    await writeFile(join(OUT, name), code);
  }
}

async function buildScripts() {
  await esbuild.build({
    entryPoints: ["mailbox.js", "composer.js", "admin.js"].map((name) => join(SOURCE, "js", name)),
    outdir: OUT,
    bundle: true,
    format: "esm",
    target: ["chrome123", "firefox120", "safari17.5"],
    minify: true,
    legalComments: "linked",
    logLevel: "warning",
  });
}

async function copyFonts() {
  await mkdir(join(OUT, "fonts"), { recursive: true });
  for (const [folder, family] of FONTS) {
    for (const script of SCRIPTS) {
      const name = `${family}-${script}-wght-normal.woff2`;
      await copyFile(join(MODULES, folder, name), join(OUT, "fonts", name));
    }
  }
}

// One symbol per name in static/icons/lucide.txt, then Signet's own symbols (seals.svg).
async function buildSprite() {
  const names = (await readFile(join(SOURCE, "icons", "lucide.txt"), "utf8"))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"));
  const symbols = [];
  for (const name of names) {
    const svg = await readFile(join(MODULES, "lucide-static", "icons", `${name}.svg`), "utf8");
    const inner = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s*\n\s*/g, "")}</symbol>`);
  }
  const own = await readFile(join(SOURCE, "icons", "seals.svg"), "utf8");
  symbols.push(own.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").replace(/\s*\n\s*/g, ""));
  const head = '<svg xmlns="http://www.w3.org/2000/svg">';
  await writeFile(join(OUT, "sprite.svg"), `${head}${symbols.join("")}</svg>`);
}

async function printSizes() {
  let isOver = false;
  for (const [name, budget] of Object.entries(BUDGETS)) {
    const size = gzipSync(await readFile(join(OUT, name)), { level: 9 }).length;
    isOver ||= size > budget;
    console.log(`${name.padEnd(14)} ${String(size).padStart(6)} of ${budget} bytes gzip`);
  }
  return isOver;
}

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
await copyFile(join(SOURCE, "icons", "favicon.svg"), join(OUT, "favicon.svg"));
await Promise.all([buildStyles(), buildScripts(), copyFonts(), buildSprite()]);
if (process.argv.includes("--sizes") && (await printSizes())) process.exitCode = 1;
