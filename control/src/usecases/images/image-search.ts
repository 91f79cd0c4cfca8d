import { familiarRepo, type ProjectId } from '@gantry/model'
import { Fault } from '@gantry/kernel'
import type { Deps } from '../../deps.ts'
import type { ImageVerbs } from '../../image-verbs.ts'
import { imagesOf, isRunnable } from '../engine-images/project-images.ts'
import { keyOf } from '../registry/cosign.ts'

const searchMs = 20_000
const mostFound = 100
/** More nobody rotates at once. */
const mostKeys = 32

/** What may be run, and what must be true of it before. */
export function searchVerbs(
  deps: Deps,
): Pick<ImageVerbs, 'search' | 'searchRegistry' | 'signaturePolicy' | 'setSignaturePolicy'> {
  const { store, upstream } = deps
  const policyOf = async (projectId: ProjectId) => ({ keys: await store.imagePolicies.keysOf(projectId) })
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
    signaturePolicy: ({ projectId }) => policyOf(projectId),
    async setSignaturePolicy({ projectId }, { keys }) {
      if (keys.length > mostKeys) {
        throw new Fault('request.invalid', { problem: `A signature policy has at most ${mostKeys} keys.` })
      }
      if (keys.some((pem) => keyOf(pem) === null)) {
        throw new Fault('request.invalid', { problem: 'A key of a signature policy must be a public key as PEM.' })
      }
      await store.imagePolicies.setKeys(projectId, keys)
      return policyOf(projectId)
    },
  }
}
