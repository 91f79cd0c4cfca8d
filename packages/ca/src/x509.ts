import type * as X509 from '@peculiar/x509'

export type { X509 }

/** ECDSA on P-256 with SHA-256: the one kind of key this CA makes, signs and accepts. */
export const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * Loaded only when something is to be issued: the library and its ASN.1 schemas cost memory and start-up time that a
 * process which merely uses its certificate should not pay. The polyfill must come first (tsyringe asks for it at load).
 */
export async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
