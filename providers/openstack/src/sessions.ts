import { type Context, isOpenStackError, OpenStackError, type Session } from '@gantry/openstack'
import type { KnownTokens } from './known-tokens.ts'

/** Says what it means for whoever asked when a context's time is over. */
export function timely(session: Session): Session {
  return around(session, async (work, { signal }, what) => {
    try {
      return await work()
    } catch (error) {
      const reason: unknown = signal.reason
      const isLate = signal.aborted && error === reason && reason instanceof Error && reason.name === 'TimeoutError'
      if (!isLate) throw error
      throw new OpenStackError({ failure: 'unreachable', ...what, reason: 'it did not answer in time' })
    }
  })
}

/** Forgets what was known of a token that some service does not accept. */
export function dropping(known: KnownTokens, token: string, session: Session): Session {
  return around(session, async (work) => {
    try {
      return await work()
    } catch (error) {
      if (isOpenStackError(error, 401)) known.drop(token)
      throw error
    }
  })
}

/** The service user's token beside the user's: services then accept hers although its time is over. */
export function vouchedFor(session: Session, service: Session, isNeeded: () => boolean): Session {
  const withToken = async <C extends { readonly headers?: Readonly<Record<string, string>> }>(
    call: C,
    context: Context,
  ): Promise<C> => {
    if (!isNeeded()) return call
    return { ...call, headers: { ...call.headers, 'x-service-token': await service.token(context) } }
  }
  return {
    ...session,
    ask: async (kind, call, context) => session.ask(kind, await withToken(call, context), context),
    stream: async (kind, call, context) => session.stream(kind, await withToken(call, context), context),
  }
}

/** A session that is made at its first call, and anew after that failed. */
export function late(make: (context: Context) => Promise<Session>): Session {
  let made: Promise<Session> | null = null
  const session = (context: Context) => {
    made ??= make(context).catch((error: unknown) => {
      made = null
      throw error
    })
    return made
  }
  return {
    info: async (context) => (await session(context)).info(context),
    token: async (context) => (await session(context)).token(context),
    endpoint: async (kind, context) => (await session(context)).endpoint(kind, context),
    ask: async (kind, call, context) => (await session(context)).ask(kind, call, context),
    stream: async (kind, call, context) => (await session(context)).stream(kind, call, context),
  }
}

type What = Pick<ConstructorParameters<typeof OpenStackError>[0], 'service' | 'method' | 'path'>

function around(
  session: Session,
  wrap: <T>(work: () => Promise<T>, context: Context, what: What) => Promise<T>,
): Session {
  const logIn = { service: 'identity' }
  return {
    info: (context) => wrap(() => session.info(context), context, logIn),
    token: (context) => wrap(() => session.token(context), context, logIn),
    endpoint: (kind, context) => wrap(() => session.endpoint(kind, context), context, { service: kind.name }),
    ask: (kind, call, context) =>
      wrap(() => session.ask(kind, call, context), context, {
        service: kind.name,
        method: call.method,
        path: call.path,
      }),
    stream: (kind, call, context) =>
      wrap(() => session.stream(kind, call, context), context, {
        service: kind.name,
        method: call.method,
        path: call.path,
      }),
  }
}
