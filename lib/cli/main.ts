#!/usr/bin/env node
/**
 * The command `braid`. Exit codes: 0 done, 1 failed, 2 called wrongly. Errors are sentences with a hint, never a stack.
 *
 * Law: this file imports nothing at the top, and a verb imports what it needs when it is called, so that `braid --help`
 * costs little more than the start of Node.
 */
const { run } = await import('./program.ts');
process.exitCode = await run(process.argv.slice(2));

export {};
