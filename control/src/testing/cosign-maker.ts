import { createHash, type KeyObject, sign } from 'node:crypto'
import { signatureAnnotation, simpleSigningType } from '../usecases/registry/cosign.ts'

// Signatures as `cosign sign --key` makes them, in both of its forms.

/** The payload of the older form, byte for byte as cosign writes it. */
export function simplePayload(digest: string, reference = '127.0.0.1:9700/demo/app'): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': reference },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  )
}

export function signed(content: Buffer, key: KeyObject): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', content, key)
}

/** The layer that the payload becomes. */
export function simpleLayer(payload: Buffer, signature: Buffer) {
  return {
    mediaType: simpleSigningType,
    digest: `sha256:${createHash('sha256').update(payload).digest('hex')}`,
    size: payload.length,
    annotations: { [signatureAnnotation]: signature.toString('base64') },
  }
}

/** The newer form: a statement about the digest, signed with what it is. `predicateType`: what it states. */
export function signedBundle(
  digest: string,
  key: KeyObject,
  predicateType = 'https://sigstore.dev/cosign/sign/v1',
): Buffer {
  const payloadType = 'application/vnd.in-toto+json'
  const statement = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: digest.replace('sha256:', '') } }],
      predicateType,
      predicate: {},
    }),
  )
  // DSSE v1, "Signature definition".
  const encoded = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} ${statement.toString()}`)
  return bundleWith({
    dsseEnvelope: {
      payload: statement.toString('base64'),
      payloadType,
      signatures: [{ sig: signed(encoded, key).toString('base64') }],
    },
  })
}

/** A signature of bytes, as of any file. */
export function messageBundle(content: Buffer, key: KeyObject): Buffer {
  const digest = createHash('sha256').update(content).digest('base64')
  return bundleWith({
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest },
      signature: signed(content, key).toString('base64'),
    },
  })
}

function bundleWith(content: object): Buffer {
  const verificationMaterial = { publicKey: { hint: 'aGludA==' }, tlogEntries: [] }
  return Buffer.from(
    JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', verificationMaterial, ...content }),
  )
}
