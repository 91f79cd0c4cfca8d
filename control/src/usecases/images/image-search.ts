import { familiarRepo } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { ImageVerbs } from '../../image-verbs.ts'
import { imagesOf, isRunnable } from '../engine-images/project-images.ts'

const searchMs = 20_000
const mostFound = 100

/** What may be run. */
export function searchVerbs(deps: Deps): Pick<ImageVerbs, 'search' | 'searchRegistry'> {
  const { upstream } = deps
  return {
    async search(caller, name, { exact }) {
      const wanted = familiarRepo(name.toLowerCase())
      const images = await imagesOf(deps, caller)
      const rows = images.flatMap(({ own, shared }) => [...own, ...shared]).filter(isRunnable)
      return rows.filter(({ repo, tag }) => {
        if (repo === '') return false
        return exact ? repo === wanted || `${repo}:${tag}` === wanted : repo.includes(wanted)
      })
    },
    searchRegistry: (_caller, name) => upstream.search('', name, mostFound, AbortSignal.timeout(searchMs)),
  }
}
