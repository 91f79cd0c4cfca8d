export async function removeRef(..._args: unknown[]): Promise<void> {}
