import { type Api, createApi } from './api.ts'
import { findCredentials } from './credentials.ts'

/** Finds credentials, takes a token if there is none yet, and answers with the API. Close it when done. */
export async function connect(api: string | undefined): Promise<Api> {
  const { endpoint, proof, ca } = await findCredentials(process.env, api)
  const target = { url: endpoint, ca }
  if (proof.kind === 'token') return createApi(target, proof.token)
  const { fetchToken } = await import('./keystone.ts')
  const { token } = await fetchToken(proof.authUrl, proof.identity, ca)
  return createApi(target, token)
}
