declare const brand: unique symbol

/** A string (or number) that cannot be mistaken for another kind of string: `Brand<string, 'ContainerId'>`. */
export type Brand<T, B extends string> = T & { readonly [brand]: B }
