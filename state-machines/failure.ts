/** What went wrong, as plain data: a chart's context must survive JSON, and an Error does not. A BraidError fits. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly place?: string | undefined;
}

/** Copies the three fields, so that no Error (with its stack and cause) stays alive in a context. */
export function failureOf(failure: Failure): Failure {
  return failure.place === undefined
    ? { code: failure.code, message: failure.message }
    : { code: failure.code, message: failure.message, place: failure.place };
}
