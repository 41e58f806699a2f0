import { apis, type WireRequest } from './request.ts';

export interface ApiRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}
export interface ApiVersionsAnswer {
  readonly error: number;
  /** By API key. */
  readonly ranges: ReadonlyMap<number, ApiRange>;
}

/** Which requests a broker serves. The only one that every listener answers before authentication. */
export const apiVersionsRequest: WireRequest<ApiVersionsAnswer> = {
  ...apis.apiVersions,
  body: [],
  decode(answer) {
    const error = answer.int16();
    const ranges = new Map(
      answer.array(() => [answer.int16(), { minVersion: answer.int16(), maxVersion: answer.int16() }] as const),
    );
    return { error, ranges };
  },
};
