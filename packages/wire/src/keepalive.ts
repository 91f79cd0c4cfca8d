import type { Http2Session } from 'node:http2'

/** Destroys the session when two pings in a row, `everyMs` apart, have had no answer. Stops when the session closes. */
export function keepAlive(session: Http2Session, everyMs: number, dead: () => void): void {
  let missed = 0
  const timer = setInterval(() => {
    if (session.destroyed) return clearInterval(timer)
    if (missed >= 2) {
      dead()
      session.destroy()
      return
    }
    missed += 1
    session.ping((error) => {
      if (!error) missed = 0
    })
  }, everyMs)
  session.once('close', () => clearInterval(timer))
}
