/** What is heard of a stream of events. `lost`: it broke off, and what came meanwhile is in no event. */
export type Heard =
  | { readonly kind: 'open' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'event'; readonly type: string; readonly data: string }

/** Between windows, besides: one that has come asks, and the one that listens answers if its stream is open. */
type Said = Heard | { readonly kind: 'who' } | { readonly kind: 'here' }

/** Before a stream that was refused is asked for again. Milliseconds. */
const againMs = 5000

let room = ''

// It has heard nothing meanwhile.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) window.location.reload()
})

/** Who is signed in, and where: windows of another user or project hear nothing of these. */
export function enterRoom(name: string): void {
  room = name
}

/**
 * Server-sent events of `url` with these types, until the answer is called; one stream for all windows of the browser that follow the same.
 * A browser has six connections to a server at a time (HTTP/1.1), and each stream keeps one for itself: the seventh window would wait for
 * ever. One window listens and tells the others; when it is closed, the next takes its place.
 */
export function sharedStream(url: string, types: readonly string[], hear: (heard: Heard) => void): () => void {
  const closing = new AbortController()
  // A page that its browser keeps for *back* must hold nothing: it answers nobody.
  window.addEventListener('pagehide', () => closing.abort(), { signal: closing.signal })
  // Browsers have no locks for pages that came neither by TLS nor from this machine.
  if (!('locks' in navigator)) {
    openStream(url, types, hear, closing.signal)
    return () => closing.abort()
  }
  const name = `gantry ${room} ${url}`
  const channel = new BroadcastChannel(name)
  closing.signal.addEventListener('abort', () => channel.close())
  let isListener = false
  let isOpen = false
  let isTold = false
  channel.addEventListener('message', ({ data }: MessageEvent<Said>) => {
    if (data.kind === 'who') {
      if (isListener && isOpen) say({ kind: 'here' })
    } else if (data.kind !== 'here' || !isTold) {
      isTold = true
      hear(data.kind === 'here' ? { kind: 'open' } : data)
    }
  })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no other origin
  const say = (said: Said) => channel.postMessage(said)
  const tell = (heard: Heard) => {
    if (heard.kind !== 'event') isOpen = heard.kind === 'open'
    say(heard)
    hear(heard)
  }
  const listen = async () => {
    isListener = true
    if (isTold) tell({ kind: 'lost' })
    openStream(url, types, tell, closing.signal)
    await new Promise((resolve) => closing.signal.addEventListener('abort', resolve))
  }
  say({ kind: 'who' })
  navigator.locks.request(name, { signal: closing.signal }, listen).catch(() => undefined)
  return () => closing.abort()
}

function openStream(url: string, types: readonly string[], hear: (heard: Heard) => void, signal: AbortSignal): void {
  let source: EventSource
  let again: ReturnType<typeof setTimeout> | undefined
  const open = () => {
    source = new EventSource(url)
    source.addEventListener('open', () => hear({ kind: 'open' }))
    source.addEventListener('error', () => {
      hear({ kind: 'lost' })
      // Otherwise the browser itself asks again.
      if (source.readyState === EventSource.CLOSED && !signal.aborted) again = setTimeout(open, againMs)
    })
    for (const type of types) {
      source.addEventListener(type, ({ data }: MessageEvent<string>) => hear({ kind: 'event', type, data }))
    }
  }
  open()
  signal.addEventListener('abort', () => {
    clearTimeout(again)
    source.close()
  })
}
