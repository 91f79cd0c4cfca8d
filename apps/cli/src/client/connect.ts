import { type Api, createApi } from './api.ts'
import { type Credentials, endpointIn, findCredentials } from './credentials.ts'

/** Finds credentials, takes a token if there is none yet, and answers with the API. Close it when done. */
export async function connect(api: string | undefined): Promise<Api> {
  const credentials = await findCredentials(process.env, api)
  const { proof, ca } = credentials
  const { token, containerUrl } = await shown(credentials, proof)
  return createApi({ url: endpointIn(credentials, containerUrl), ca }, token)
}

async function shown({ isGuess, ca }: Credentials, proof: Credentials['proof']) {
  if (proof.kind === 'token' && !isGuess) return { token: proof.token, containerUrl: undefined }
  const { describeToken, fetchToken } = await import('./keystone.ts')
  if (proof.kind === 'identity') return await fetchToken(proof.authUrl, proof.identity, ca)
  const { token, authUrl } = proof
  // If it is no good, the API says so in its own words.
  const about = authUrl === undefined ? undefined : await describeToken(authUrl, token, ca).catch(() => undefined)
  return { token, containerUrl: about?.containerUrl }
}
