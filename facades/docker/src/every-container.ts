import type { Control } from '@gantry/control'
import type { Caller, Container } from '@gantry/model'

/** More than any quota allows. */
const all = 1_000_000

/** The project's containers, the newest first. */
export async function everyContainer({ containers }: Control, caller: Caller): Promise<Container[]> {
  return containers.list(caller, {
    allProjects: false,
    filters: {},
    sortKey: 'created_at',
    descending: true,
    limit: all,
    marker: null,
  })
}
