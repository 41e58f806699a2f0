/** `npm run charts`: writes the drawing of every chart, and removes those whose chart is gone. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawings, drawingsFolder, drawingsPresent } from './drawings.ts';

mkdirSync(drawingsFolder, { recursive: true });
const wanted = drawings();
for (const [file, text] of wanted) writeFileSync(join(drawingsFolder, file), text);
for (const file of drawingsPresent()) if (!wanted.has(file)) rmSync(join(drawingsFolder, file));
console.log(`${wanted.size} charts drawn in state-machines/drawings`);
