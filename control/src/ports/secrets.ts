/** Keeps secrets unreadable in the store. The key is no part of the store. */
export interface Secrets {
  seal(plain: string): string
  /** Throws when it was not sealed with this key. */
  open(sealed: string): string
}
