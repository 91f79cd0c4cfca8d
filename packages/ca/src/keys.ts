import { createPrivateKey, createPublicKey, KeyObject, webcrypto } from 'node:crypto'
import { keyAlgorithm } from './x509.ts'

/** A new key pair for `@peculiar/x509`, and the private half as PKCS#8 PEM. */
export async function makeKeys(): Promise<{ keys: webcrypto.CryptoKeyPair; key: string }> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])
  return { keys, key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) }
}

/** The pair of a PKCS#8 PEM. Throws if it is not an EC key on P-256. */
export function keysFrom(pem: string): webcrypto.CryptoKeyPair {
  const key = createPrivateKey(pem)
  return {
    privateKey: key.toCryptoKey(keyAlgorithm, false, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey(keyAlgorithm, true, ['verify']),
  }
}
