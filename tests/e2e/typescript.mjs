/**
 * The life of a procedure, and skills, driven by the official TypeScript client on both generations of the protocol.
 *
 * It knows no tasks yet: they are in `conformance.py`.
 *
 * Usage: node tests/e2e/typescript.mjs BINARY, where `@modelcontextprotocol/client` is found from the current folder
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Client } = await load("@modelcontextprotocol/client");
const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");
const { SkillsClient } = await load("@modelcontextprotocol/client/ext/skills");

const BINARY = resolve(process.argv[2]);

const CODE = `def total(amounts: list[float], tax_percent: float = 20.0) -> float:
    """Add up an invoice.

    Args:
        amounts: The net amounts.
        tax_percent: The tax rate.

    Returns:
        The gross sum.
    """
    return round(sum(amounts) * (1 + tax_percent / 100), 2)
`;

async function connected(home, mode) {
  const client = new Client({ name: "typescript", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(
    new StdioClientTransport({ command: BINARY, args: ["--home", home, "--no-starters", "serve"], stderr: "ignore" }),
  );
  return client;
}

/** The answer of a tool that must succeed. The client holds it to the schema of the tool. */
async function ok(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.structuredContent.success, true, `${name}: ${JSON.stringify(result.structuredContent)}`);
  return result.structuredContent;
}

const stories = {
  async life_of_a_procedure(client) {
    const { tools } = await client.listTools();
    assert.equal(tools.length, 24);
    const remembered = await ok(client, "remember_procedure", {
      name: "total",
      description: "Adds up an invoice.",
      steps: ["Add up"],
      code: CODE,
    });
    const id = remembered.procedure_id;
    assert.equal((await ok(client, "validate_procedure_code", { code: CODE, procedure_id: id })).issues.length, 0);
    const worse = CODE.replace("1 + tax", "1 - tax");
    assert.equal((await ok(client, "generate_procedure_code", { procedure_id: id, code: worse })).version, 2);
    const execute = () => ok(client, "execute_procedure", { procedure_id: "total", parameters: { amounts: [100, 20] } });
    assert.equal((await execute()).result, 96);
    assert.equal((await ok(client, "get_procedure_versions", { procedure_id: id })).count, 2);
    assert.equal((await ok(client, "rollback_procedure_code", { procedure_id: id, target_version: 1 })).version, 3);
    assert.equal((await execute()).result, 144);
    assert.equal((await ok(client, "get_procedure_stats", { procedure_id: id })).usage_count, 2);
    const found = await ok(client, "recall_procedures", { query: "add up an invoice" });
    assert.equal(found.procedures[0].name, "total");
    const refused = await client.callTool({ name: "execute_procedure", arguments: { procedure_id: "nothing" } });
    assert.equal(refused.isError, true);
  },

  async prompts_resources_and_completion(client) {
    await ok(client, "remember_procedure", { name: "total", steps: ["Add up"], code: CODE });
    const prompt = await client.getPrompt({ name: "use_procedure", arguments: { procedure_id: "total" } });
    assert.match(prompt.messages[0].content.text, /execute_procedure/);
    const { completion } = await client.complete({
      ref: { type: "ref/prompt", name: "use_procedure" },
      argument: { name: "procedure_id", value: "to" },
    });
    assert.deepEqual(completion.values, ["total"]);
    const { resources } = await client.listResources();
    assert.equal(resources[0].uri, "repertoire://procedures/total");
    const { contents } = await client.readResource({ uri: resources[0].uri });
    assert.equal(contents[1].text, CODE);
  },

  async skills(client) {
    await ok(client, "remember_procedure", { name: "total", steps: ["Add up"], description: "Adds.", code: CODE });
    const skills = new SkillsClient(client);
    assert.ok(skills.supported && skills.directoryRead);
    const { skills: all } = await skills.list();
    assert.equal(all.length, 1);
    assert.equal(all[0].frontmatter.name, "total");
    // The client holds what it reads to size, digest and front matter.
    const document = await skills.read(all[0]);
    assert.match(document.body, /## Run it/);
    const script = await skills.read(all[0], "scripts/total.py");
    assert.match(script.text ?? new TextDecoder().decode(script.bytes ?? script.content), /def total/);
    const { resources } = await skills.readDirectory(all[0].uri.replace(/\/SKILL\.md$/, ""));
    assert.deepEqual(resources.map(({ name }) => name), ["SKILL.md", "scripts"]);
  },
};

let failures = 0;
async function tell(name, story) {
  const home = mkdtempSync(join(tmpdir(), "repertoire-"));
  try {
    await story(home);
    console.log(`ok     ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`failed ${name}\n${error.stack}`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

for (const mode of ["legacy", { pin: "2026-07-28" }]) {
  for (const [name, story] of Object.entries(stories)) {
    await tell(`${name} (${mode.pin ?? "2025-11-25"})`, async (home) => {
      const client = await connected(home, mode);
      await story(client);
      await client.close();
    });
  }
}
process.exit(failures ? 1 : 0);
