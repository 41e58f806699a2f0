import type { CodeWriter } from '../expressions/generate.ts';

/** Collects the lines of one generated function and the constants that it closes over. */
export class KernelWriter implements CodeWriter {
  readonly bail: string;
  readonly #lines: string[] = [];
  readonly #constants: unknown[] = [];
  #names = 0;

  /** `bail`: statement that leaves the function where narrow arithmetic does not suffice. */
  constructor(bail: string) {
    this.bail = bail;
  }

  line(code: string): void {
    this.#lines.push(code);
  }
  fresh(): string {
    return `t${this.#names++}`;
  }
  /** Equal constants get one name. */
  constant(value: unknown): string {
    const at = this.#constants.indexOf(value);
    return `c${at >= 0 ? at : this.#constants.push(value) - 1}`;
  }

  get code(): string {
    return this.#lines.join('\n');
  }

  /** The function `(parameters) => { lines }`, with its constants bound. */
  build<Kernel>(parameters: string): Kernel {
    const constants = this.#constants.map((_, i) => `c${i} = constants[${i}]`);
    const declaration = constants.length === 0 ? '' : `const ${constants.join(', ')};`;
    const source = `'use strict';\n${declaration}\nreturn function kernel(${parameters}) {\n${this.code}\n};`;
    // The one place where Braid makes code: from numbers, names of its own and the shape of the tree, never from text of a user.
    return new Function('constants', source)(this.#constants) as Kernel;
  }
}
