// In place of the machine's own types, which the build puts here: enough for
// an editor, and deliberately not `any`.

export type State = { readonly __state: unique symbol };
export type Transition = { readonly __transition: unique symbol };
export type Conflict = { readonly __conflict: unique symbol };
export type Presence = { readonly __presence: unique symbol };
