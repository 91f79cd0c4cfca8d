import type { Caller } from '@gantry/model'

/** One paragraph of the operator's policy file. */
export interface GrantEntry {
  /** Ids or names; `*`: every one. Absent: every one, if roles are named. */
  readonly projects?: readonly string[]
  /** Whoever has one of them. Absent: any. */
  readonly roles?: readonly string[]
  /** `Privileged`, `CapAdd:NET_ADMIN`, `Binds:/srv/shared` … */
  readonly grant: readonly string[]
}

/** What the operator granted; looked up anew for each request, because the file may be read again. */
export interface PolicyGrants {
  of(caller: Caller): readonly string[]
}

export const noGrants: PolicyGrants = { of: () => [] }

/** An entry with projects and roles is for those who fit both. */
export function grantsOf(entries: readonly GrantEntry[], { projectId, projectName, roles }: Caller): readonly string[] {
  const fits = (entry: GrantEntry) => {
    if (!entry.projects && !entry.roles) return false
    const ofProject = entry.projects?.some((each) => each === '*' || each === projectId || each === projectName) ?? true
    const ofRole = entry.roles?.some((role) => roles.includes(role)) ?? true
    return ofProject && ofRole
  }
  return entries.filter(fits).flatMap(({ grant }) => grant)
}
