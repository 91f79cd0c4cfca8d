import type { Session } from '../fixtures/gantry.ts'

export interface Said {
  readonly status: number
  /** The body, as it came. */
  readonly message: string
}

/** A raw request to the Docker API at `url`; `body` is sent as JSON. */
export async function askDocker(
  url: string,
  { token, projectId }: Session,
  method: string,
  path: string,
  body?: unknown,
): Promise<Said> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'x-auth-token': token, 'x-auth-project-id': projectId, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, message: await response.text() }
}
