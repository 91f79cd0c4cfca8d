/** Reaches receivers of webhooks, and nothing that is not a tenant's to reach. */
export interface WebhookSender {
  /**
   * POSTs once, without following redirects. Throws when there was no answer, or when the address may not be connected to; that is
   * judged at each connection, for the address itself.
   */
  send(
    url: string,
    message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
    signal: AbortSignal,
  ): Promise<WebhookAnswer>
}

export interface WebhookAnswer {
  readonly status: number
  /** When the receiver wants to be asked again, from now on. null: it did not say. */
  readonly retryAfterMs: number | null
}
