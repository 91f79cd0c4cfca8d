/**
 * What a client shows of itself with every request, instead of logging in first. `project`: the id or name it says it
 * works in; null when it does not say.
 */
export type ShownCredential =
  | { readonly kind: 'token'; readonly token: string; readonly project: string }
  | {
      readonly kind: 'application-credential'
      readonly id: string
      readonly secret: string
      readonly project: string | null
    }
  /** A client certificate that was verified; `serial` in upper-case hex. */
  | { readonly kind: 'certificate'; readonly serial: string; readonly project: string | null }
