// What changes often is shown a few times a second: a storm of events costs four renders a second, not five thousand.

/** How often what is live is rendered anew, at the most. */
export const RENDER_EVERY_MS = 250;

/** A store for useSyncExternalStore whose listeners hear at once after a rest, and then every 250 ms at the most. */
export abstract class Batched<Snapshot> {
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told = 0;
  private shown: Snapshot | undefined;

  protected abstract build(): Snapshot;

  readonly subscribe = (hear: () => void): (() => void) => {
    this.listeners.add(hear);
    return () => {
      this.listeners.delete(hear);
      if (this.listeners.size === 0) this.unused();
    };
  };

  readonly snapshot = (): Snapshot => (this.shown ??= this.build());

  /** Nobody looks any more. */
  protected unused(): void {}

  /** Something changed. */
  protected changed(): void {
    if (this.timer !== undefined) return;
    const wait = Math.max(0, this.told + RENDER_EVERY_MS - Date.now());
    this.timer = setTimeout(() => this.tell(), wait);
  }

  /** Shows what there is now, without waiting. */
  protected tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.told = Date.now();
    this.shown = this.build();
    for (const hear of this.listeners) hear();
  }
}
