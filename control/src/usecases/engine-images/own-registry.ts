import { type Caller, registryOf } from '@gantry/model'
import type { Deps } from '../../deps.ts'

/** A repository of our own registry, as a name with one of its domains means it. */
export interface OwnPlace {
  readonly namespace: string
  /** Within the namespace; empty: none is named. */
  readonly repo: string
}

/** null: the name leads to another registry, or to none. */
export function ownPlaceOf({ registryDomains }: Pick<Deps, 'registryDomains'>, name: string): OwnPlace | null {
  const domain = registryDomains.find((each) => name === each || name.startsWith(`${each}/`))
  if (domain === undefined) return null
  const path = name.slice(domain.length + 1)
  const slash = path.indexOf('/')
  return slash < 0 ? { namespace: path, repo: '' } : { namespace: path.slice(0, slash), repo: path.slice(slash + 1) }
}

/** Whether the project may have anything to do with the registry that a name leads to; with our own it may. */
export function judgeRegistry(deps: Pick<Deps, 'rules' | 'registryDomains'>, caller: Caller, name: string): void {
  if (ownPlaceOf(deps, name) === null) deps.rules.judge(caller, { kind: 'registry', domain: registryOf(name) })
}
