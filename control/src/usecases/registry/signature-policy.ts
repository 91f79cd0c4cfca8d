import { Fault } from '@gantry/kernel'
import type { ImageVerbs } from '../../image-verbs.ts'
import { mayChange } from '../../policy/roles.ts'
import { keyProblem } from './cosign.ts'
import type { RegistryDeps } from './registry-deps.ts'

/** Two keys let one be replaced while images of both run; more are for more signers. */
const mostKeys = 20
/** Characters: an RSA key of 16384 bits has fewer. */
const longestKey = 4096

/** By which keys a project wants its images signed. What it sets counts for containers that are made from then on. */
export function signaturePolicyVerbs({
  store,
}: Pick<RegistryDeps, 'store'>): Pick<ImageVerbs, 'signaturePolicy' | 'setSignaturePolicy'> {
  return {
    async signaturePolicy({ projectId }) {
      return { keys: await store.imagePolicies.keysOf(projectId) }
    },
    async setSignaturePolicy(caller, { keys }) {
      if (!mayChange(caller)) {
        const reason = 'it needs the role member or admin'
        throw new Fault('policy.forbidden', { action: 'Changing the signature policy', reason })
      }
      if (keys.length > mostKeys) throw invalid(`A signature policy has at most ${mostKeys} keys.`)
      for (const [index, key] of keys.entries()) {
        const problem = key.length > longestKey ? `it is longer than ${longestKey} characters` : keyProblem(key)
        if (problem !== null) throw invalid(`Key ${index + 1} cannot be used: ${problem}.`)
      }
      const unique = [...new Set(keys.map((key) => `${key.trim()}\n`))]
      await store.imagePolicies.setKeys(caller.projectId, unique)
      return { keys: unique }
    },
  }
}

function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}
