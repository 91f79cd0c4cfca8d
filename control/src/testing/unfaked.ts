/** Verbs that a test's fake does not offer: each throws when it is called. */
export function unfaked<T extends object>(name: string): T {
  return new Proxy({} as T, {
    get: (_none, verb) => () => {
      throw new Error(`${name}.${String(verb)} is not faked.`)
    },
  })
}
