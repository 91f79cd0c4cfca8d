import type { KeyObject } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import type { Caller, Digest, Image } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import { bundleTypes, isBundleSigned, isSimplySigned, keyOf, signatureAnnotation, simpleSigningType } from './cosign.ts'

type SignatureDeps = Pick<Deps, 'store' | 'catalogue'>

/** Of one image, looked at when it is started: more are nobody's signatures. */
const mostSignatures = 64
/** Bytes of one signature's payload or bundle. */
const longestSignature = 1 << 20

/** One that may hold or not: whoever may push can put anything there. */
export interface Signature {
  /** Of the manifest that it is in. */
  readonly digest: Digest
  /** Whether it is by one of these keys and of this image. */
  isBy(keys: readonly KeyObject[]): Promise<boolean>
}

/**
 * Throws `image.unsigned` unless the project asks for no signatures, or the image has one by a key of its. Signatures are looked for beside
 * the image, in its repository. null: the catalogue does not know the image, and so nobody can have signed it here.
 */
export async function requireSigned(
  deps: SignatureDeps,
  caller: Caller,
  image: Image | null,
  name: string,
): Promise<void> {
  const keys = await keysOf(deps, caller)
  if (keys === null) return
  if (!image?.digest) {
    const reason = 'signatures are asked for, and it is not in the catalogue yet; pull or push it first'
    throw new Fault('image.unsigned', { image: name, reason })
  }
  for (const signature of await signaturesOf(deps, image)) {
    if (await signature.isBy(keys)) return
  }
  throw new Fault('image.unsigned', { image: name, reason: 'it has no signature by a key of its signature policy' })
}

/** Keys by which the project's images must be signed; null: they need not be. One that cannot be read signs nothing. */
export async function keysOf({ store }: SignatureDeps, { projectId }: Caller): Promise<readonly KeyObject[] | null> {
  const keys = await store.imagePolicies.keysOf(projectId)
  return keys.length === 0 ? null : keys.flatMap((pem) => keyOf(pem) ?? [])
}

/** What is said to be an image's signatures, in cosign's two forms: under a tag made of its digest, and as its referrers. */
export async function signaturesOf(deps: SignatureDeps, image: Image): Promise<Signature[]> {
  const { images, contents } = deps.store
  const { projectId, repo, digest } = image
  const signed = digest === null ? undefined : await contents.manifest(digest)
  if (!signed) return []
  const tag = `${signed.digest.replace(':', '-')}.sig`
  const tagged = repo === '' ? [] : await images.list(projectId, { owners: 'own', repo, tag })
  const holders = [
    ...(await contents.manifests(tagged.flatMap((row) => row.digest ?? []))),
    ...(await contents.referrers(projectId, repo, signed.digest)),
  ]
  return holders.flatMap((holder) => signaturesIn(deps, holder, signed)).slice(0, mostSignatures)
}

interface Layer {
  readonly mediaType: string
  readonly digest: string
  /** Nobody has checked what is in them. */
  readonly annotations?: Readonly<Record<string, unknown>> | null
}

function signaturesIn({ catalogue }: SignatureDeps, holder: Manifest, signed: Manifest): Signature[] {
  const { layers = [] } = JSON.parse(holder.content) as { readonly layers?: readonly Layer[] }
  const small = new Map<string, Digest>(
    holder.parts.flatMap(({ digest, size }) => (size <= longestSignature ? [[digest, digest]] : [])),
  )
  return layers.flatMap((layer) => {
    const digest = small.get(layer.digest)
    const holds = digest && checkOf(layer, signed)
    return holds ? [signatureIn(holder, () => catalogue.readBlob(digest), holds)] : []
  })
}

/** How a layer's content says that `signed` is signed; null: it is not about that. */
function checkOf(
  { mediaType, annotations }: Layer,
  signed: Manifest,
): ((content: Buffer, key: KeyObject) => boolean) | null {
  if (mediaType === simpleSigningType) {
    const text = annotations?.[signatureAnnotation]
    if (typeof text !== 'string') return null
    const signature = Buffer.from(text, 'base64')
    return (content, key) => isSimplySigned(content, signature, signed.digest, key)
  }
  if (!mediaType.startsWith(bundleTypes)) return null
  return (content, key) => isBundleSigned(content, signed.digest, key)
}

function signatureIn(
  { digest }: Manifest,
  content: () => Promise<Buffer>,
  holds: (content: Buffer, key: KeyObject) => boolean,
): Signature {
  return {
    digest,
    async isBy(keys) {
      const read = await content().catch((error: unknown) => {
        // Of one that is lost or has gone bad, others may still hold.
        if (error instanceof Fault) return null
        throw error
      })
      return read !== null && keys.some((key) => holds(read, key))
    },
  }
}
