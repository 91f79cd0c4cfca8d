import type { SessionView, SignedOutView } from '@gantry/facade-dashboard/views'
import { queryOptions } from '@tanstack/react-query'
import { ApiError, call, keepCsrf } from './client.ts'
import { enterRoom } from './shared-stream.ts'

export type { SessionView }

/** null: nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async ({ signal }): Promise<SessionView | null> => {
    try {
      return kept(await call<SessionView>('/ui/session', { signal }))
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null
      throw error
    }
  },
})

export interface Credentials {
  readonly user: string
  readonly password: string
  readonly domain?: string
  readonly project?: string
}

export async function signIn(body: Credentials | { credential: string; secret: string }): Promise<SessionView> {
  return kept(await call<SessionView>('/ui/session', { method: 'POST', body }))
}

export async function switchProject(project: string): Promise<SessionView> {
  return kept(await call<SessionView>('/ui/session', { method: 'PUT', body: { project } }))
}

/** undefined: nothing is left of the session. */
export async function signOut(): Promise<SignedOutView | undefined> {
  return call<SignedOutView | undefined>('/ui/session', { method: 'DELETE' })
}

/** What whoever has just signed out must know; shown where one signs in. */
export const farewellKey = ['farewell']

function kept(session: SessionView): SessionView {
  keepCsrf(session.csrf)
  enterRoom(`${session.user.id} ${session.project.id}`)
  return session
}
