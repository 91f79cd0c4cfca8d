import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { bundleFromJSON, type BundleWithDsseEnvelope, isBundleWithDsseEnvelope } from '@sigstore/bundle'
import { toSignedEntity, Verifier } from '@sigstore/verify'
import type { Digest } from '@gantry/model'

/** Of the payload of a signature in cosign's older form, and of the bundles that the newer one is made of. */
export const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json'
export const bundleTypes = 'application/vnd.dev.sigstore.bundle'
/** Where the older form keeps the signature itself: beside the layer, in base64. */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature'

const payloadKind = 'cosign container image signature'
const statementType = 'application/vnd.in-toto+json'
/** Other statements (what is in an image, how it was built) do not say that it may run. */
const signingPredicate = 'https://sigstore.dev/cosign/sign/v1'

/** Why a key cannot be one that images are signed by; null: it can. */
export function keyProblem(pem: string): string | null {
  const key = keyOf(pem)
  if (!key) return 'it is no public key in PEM, as in cosign.pub'
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec' || type === 'ed25519') return null
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return null
  return 'it must be an ECDSA, Ed25519 or RSA key, the last of at least 2048 bits'
}

/** null: it is none. */
export function keyOf(pem: string): KeyObject | null {
  // Node would take the public half of a private key, which nobody should hand in.
  if (!/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) return null
  try {
    return createPublicKey(pem)
  } catch {
    return null
  }
}

/** Whether `signature` is the key's under the payload, and the payload is about the manifest `digest`. */
export function isSimplySigned(payload: Buffer, signature: Buffer, digest: Digest, key: KeyObject): boolean {
  return saysIt(payload, digest) && isSignature(payload, signature, key)
}

function saysIt(payload: Buffer, digest: Digest): boolean {
  const { critical } = objectIn(payload) as {
    readonly critical?: { readonly type?: unknown; readonly image?: { readonly 'docker-manifest-digest'?: unknown } }
  }
  return critical?.type === payloadKind && critical.image?.['docker-manifest-digest'] === digest
}

function isSignature(content: Buffer, signature: Buffer, key: KeyObject): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', content, key, signature)
  } catch {
    return false
  }
}

/**
 * Whether a bundle holds a statement that the manifest `digest` is signed, by the key. Logs and time stamps are left out: a key is
 * good until it is taken out of the policy. A signature of bytes without a statement, as of any file, says nothing here.
 */
export function isBundleSigned(content: Buffer, digest: Digest, key: KeyObject): boolean {
  try {
    const bundle = bundleFromJSON(objectIn(content))
    if (!isBundleWithDsseEnvelope(bundle) || !isAbout(bundle, digest)) return false
    const { signature } = toSignedEntity(bundle)
    const entity = { signature, key: { $case: 'public-key', hint: '' } } as const
    keyVerifier(key).verify({ ...entity, tlogEntries: [], timestamps: [] })
    return true
  } catch {
    // Not a bundle, or one that does not hold: the library throws for both.
    return false
  }
}

function isAbout({ content }: BundleWithDsseEnvelope, digest: Digest): boolean {
  const { payloadType, payload } = content.dsseEnvelope
  if (payloadType !== statementType) return false
  const { predicateType, subject } = objectIn(payload) as {
    readonly predicateType?: unknown
    readonly subject?: readonly { readonly digest?: { readonly sha256?: unknown } }[]
  }
  const isSubject = Array.isArray(subject) && subject.some((each) => `sha256:${each?.digest?.sha256}` === digest)
  return predicateType === signingPredicate && isSubject
}

function keyVerifier(publicKey: KeyObject): Verifier {
  const trusted = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  }
  return new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
}

/** An empty one for what is no JSON object. */
function objectIn(content: Buffer): object {
  try {
    const json: unknown = JSON.parse(content.toString('utf8'))
    return typeof json === 'object' && json !== null ? json : {}
  } catch {
    return {}
  }
}
