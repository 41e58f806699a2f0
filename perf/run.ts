/**
 * `npm run perf` lists the benchmarks; `npm run perf -- NAME [--json FILE] [--smoke]` runs one. Nothing else should run on
 * the machine meanwhile. Figures are for comparing within one run; with `--smoke` they mean nothing, but all checks hold.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { didYouMean } from '../lib/base/did-you-mean.ts';
import type { Benchmark, Report } from './support/benchmark.ts';

const names = readdirSync(import.meta.dirname)
  .filter(file => /\.[jt]s$/.test(file) && !file.startsWith('run.') && !file.endsWith('.d.ts'))
  .map(file => file.slice(0, -3))
  .sort();

async function load(name: string): Promise<Benchmark> {
  const file = readdirSync(import.meta.dirname).find(candidate => candidate.replace(/\.[jt]s$/, '') === name);
  return (await import(join(import.meta.dirname, file!))) as Benchmark;
}

function rate(value: number): string {
  return (value < 1e4 ? String(value) : `${(value / 1e6).toFixed(2)} M`).padStart(9);
}

async function list(): Promise<void> {
  for (const name of names) console.log(`${name.padEnd(16)} ${(await load(name)).description}`);
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, smoke: { type: 'boolean', default: false } },
  });
  const [name] = positionals;
  if (name === undefined) {
    await list();
    return 0;
  }
  if (!names.includes(name)) {
    console.error(`there is no benchmark ${name}: ${didYouMean(name, names) ?? names.join(', ')}`);
    return 2;
  }
  const benchmark = await load(name);
  console.log(`${name}: ${benchmark.description}`);
  const measured = await benchmark.run({ smoke: values.smoke });
  const report: Report = { name, node: process.version, cores: availableParallelism(), ...measured };
  for (const one of report.cases)
    console.log(
      `  ${one.name.padEnd(32)} ${rate(one.recordsPerSecond)} records/s ${rate(one.recordsPerCpuSecond)} records/CPU-s ${(one.rssBytesMax / 2 ** 20).toFixed(0).padStart(6)} MiB`,
    );
  for (const [ratio, value] of Object.entries(report.ratios)) console.log(`  ${ratio}: ${value.toFixed(3)}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  return 0;
}

process.exitCode = await main();
