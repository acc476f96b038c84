// Bundles the page and the report into ../static, or (--test) the unit tests into build/test, with esbuild alone.
//
// Everything of the page ends in one file, index.js: TensorBoard imports it, and the style sheet travels inside as text,
// so that the page makes no further request for code and never shows unstyled. report.js is the script that Python
// writes into every report file, with its style sheet likewise.
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const BUNDLES = [
  { entry: "src/index.ts", name: "index.js", format: "esm", limit: 200_000 },
  { entry: "src/report/index.tsx", name: "report.js", format: "iife", limit: 60_000 },
];

/** CSS as a minified string. */
const cssText = {
  name: "css-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await esbuild.transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code, loader: "text" };
    });
  },
};

const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  // Calls of h() take a twentieth less room than those of the automatic runtime.
  tsconfigRaw: { compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment" } },
  inject: [join(here, "src", "ui", "h.ts")],
  plugins: [cssText],
  logLevel: "warning",
};

async function buildBundles() {
  for (const { entry, name, format, limit } of BUNDLES) {
    const outfile = join(here, "..", "static", name);
    await esbuild.build({ ...shared, entryPoints: [entry], outfile, format, minify: true, legalComments: "none" });
    const { size } = await stat(outfile);
    console.log(`static/${name}: ${size} bytes`);
    if (size > limit) throw new Error(`static/${name} must stay under ${limit} bytes. Received: ${size} bytes.`);
  }
}

async function buildTests() {
  const outdir = join(here, "build", "test");
  await rm(outdir, { recursive: true, force: true });
  const tests = (await readdir(join(here, "test"))).filter((name) => name.endsWith(".test.ts"));
  await esbuild.build({
    ...shared,
    entryPoints: tests.map((name) => join("test", name)),
    outdir,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    sourcemap: "inline",
  });
}

await (process.argv.includes("--test") ? buildTests() : buildBundles());
