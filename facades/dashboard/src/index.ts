import type { IdentityProvider } from '@gantry/control'
import { answerFault } from '@gantry/http'
import type { Ids } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import { cookieForToken } from './cookie-for-token.ts'
import { pages } from './pages.ts'
import { type SessionCookies, sessionCookies } from './session-cookie.ts'
import { sessionRoutes } from './session-routes.ts'

export type { SessionView, SignedOutView } from './schemas.ts'
export { cookieForToken, type SessionCookies, sessionCookies }

export interface DashboardOptions {
  readonly identity: IdentityProvider
  readonly cookies: SessionCookies
  readonly ids: Ids
  /** Where the built page is. */
  readonly folder: string
  /** Users and projects are kept by this server. */
  readonly ownIdentity: boolean
  readonly version: string
}

/** The page at `/ui/` and its sign-in. For the root instance, without a prefix; `cookieForToken` must have come before the façades. */
export async function dashboardFacade(app: FastifyInstance, { folder, ...parts }: DashboardOptions): Promise<void> {
  app.get('/', { config: { quiet: true } }, async (_request, reply) => reply.redirect('/ui/', 302))
  await app.register(
    async (ui) => {
      ui.setErrorHandler(answerFault)
      await ui.register(async (scope) => sessionRoutes(scope, parts))
      await ui.register(async (scope) => pages(scope, folder))
    },
    { prefix: '/ui' },
  )
}
