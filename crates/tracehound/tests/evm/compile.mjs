// Compiles contracts/*.sol into contracts.json, which is committed, so that tests need no compiler.
//
//   npm ci && npm run compile     after a change of a contract
//   npm ci && npm run check       says whether contracts.json is what the compiler makes of the sources
//
// The bytecode carries no metadata hash, so that comments and paths do not change it.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import solc from "solc";

const here = (name) => new URL(name, import.meta.url);
const settings = {
  evmVersion: "shanghai",
  viaIR: true,
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.methodIdentifiers", "abi"] } },
};

const sources = {};
const hashes = {};
for (const name of readdirSync(here("contracts/")).filter((name) => name.endsWith(".sol")).sort()) {
  const content = readFileSync(here(`contracts/${name}`), "utf8");
  sources[name] = { content };
  hashes[name] = createHash("sha256").update(content).digest("hex");
}
const input = { language: "Solidity", sources, settings };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((error) => error.severity === "error");
if (errors.length > 0) {
  console.error(errors.map((error) => error.formattedMessage).join("\n"));
  process.exit(1);
}

const contracts = {};
for (const file of Object.keys(output.contracts).sort()) {
  for (const name of Object.keys(output.contracts[file]).sort()) {
    const { evm, abi } = output.contracts[file][name];
    const constructor = abi.find((item) => item.type === "constructor");
    contracts[name] = {
      constructor: (constructor?.inputs ?? []).map((input) => input.type),
      functions: Object.fromEntries(Object.entries(evm.methodIdentifiers).sort()),
      bytecode: evm.bytecode.object,
    };
  }
}
const compiler = `solc ${solc.version().split("+")[0]}, ${settings.evmVersion}`;
const text = JSON.stringify({ compiler, sources: hashes, contracts }, null, 1) + "\n";

if (process.argv.includes("--check")) {
  const same = readFileSync(here("contracts.json"), "utf8") === text;
  console.log(same ? "contracts.json is what the sources make" : "contracts.json is stale: npm run compile");
  process.exit(same ? 0 : 1);
}
writeFileSync(here("contracts.json"), text);
console.log(`${Object.keys(contracts).length} contracts, ${text.length} bytes`);
