/** Ends a `switch` over a union: a new member is then a compile error here, and a clear error at run time. */
export function assertNever(value: never, what: string): never {
  throw new Error(`unhandled ${what}: ${JSON.stringify(value)}`)
}
