#!/usr/bin/env node
// Starts the program of this platform, which is in a package of its own that npm chose by system, processor and C library.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const own = require("../package.json");

const { platform, arch } = process;

function candidates() {
  const base = `${own.name}-${platform}-${arch}`;
  if (platform !== "linux") {
    return [base];
  }
  // The program for musl is static and runs everywhere; the one for glibc is faster where there is glibc.
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return glibc ? [`${base}-gnu`, `${base}-musl`] : [`${base}-musl`];
}

function find(names) {
  const binary = platform === "win32" ? `${own.name}.exe` : own.name;
  for (const name of names) {
    try {
      return require.resolve(`${name}/bin/${binary}`);
    } catch {
      // Not installed; the next may be.
    }
  }
  const known = names.filter((name) => name in own.optionalDependencies);
  console.error(
    known.length
      ? `${own.name}: the package \`${known[0]}\` is missing\nhint: install it, or install again without \`--omit=optional\``
      : `${own.name}: there is no program for ${platform} on ${arch}\nhint: build it from source, with Rust: ${own.repository.url}`,
  );
  process.exit(1);
}

const child = spawn(find(candidates()), process.argv.slice(2), { stdio: "inherit", windowsHide: true });
child.on("error", (error) => {
  console.error(`${own.name}: ${error.message}`);
  process.exit(1);
});
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  // A terminal sends its Ctrl-C to both.
  process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
