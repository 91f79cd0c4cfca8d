import type { RegistryGrant } from '@gantry/control'

/** A client wants few; each costs a question. */
const mostScopes = 32

/**
 * The parameters `scope` of a request for a token: `repository:demo/app:pull,push`, several in one or several parameters. What is
 * none is left out, as the protocol has it. Names may hold colons, types a class in parentheses.
 */
export function parseScopes(parameters: readonly string[]): RegistryGrant[] {
  return parameters
    .flatMap((parameter) => parameter.split(' '))
    .filter((scope) => scope !== '')
    .slice(0, mostScopes)
    .flatMap((scope) => {
      const [, type, name, actions] = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z*,]+)$/.exec(scope) ?? []
      if (type === undefined || name === undefined || actions === undefined) return []
      return [{ type, name, actions: [...new Set(actions.split(','))].filter((action) => action !== '') }]
    })
}
