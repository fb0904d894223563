// Joins the modules that tsc made into one file, for pages without a bundler: `node bundle.js FOLDER OUT`.
//
// It knows only what this client is written in: one import or export a line, nothing renamed, no name twice at the top
// of two modules. The last is a syntax error in the one file, so it cannot go unnoticed. A level of indentation becomes
// one space, which a page loads sooner; no text of this client goes over several lines.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, out] = process.argv.slice(2);
const joined = new Set();
const parts = ['// The JavaScript client of clients/js in one file, made by `./dev client`; change it there.'];
const exported = [];

function add(name) {
  if (joined.has(name)) return;
  joined.add(name);
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n');
  const kept = [];
  for (const line of lines) {
    const from = /^(?:import|export) \{[^}]*\} from '\.\/([\w.]+)';$/.exec(line);
    if (from) add(from[1]);
    else if (/^import|^export (?!class |const |function |async function )/.test(line) || / as .*from '/.test(line)) throw new Error(`${name}: ${line}`);
    else kept.push(line.replace(/^export /, '').replace(/^(?: {4})+/, (indentation) => ' '.repeat(indentation.length / 4)));
    if (from && name === 'index.js') exported.push(/\{ (.*) \}/.exec(line)[1]);
  }
  parts.push(kept.join('\n'));
}

add('index.js');
parts.push(`export { ${exported.join(', ')} };`);
writeFileSync(out, `${parts.filter((part) => part !== '').join('\n')}\n`);
