/** For work whose parts are all tried: the first error is thrown once all of them are done. */
export class FirstError {
  #first: { error: unknown } | undefined;

  /** @returns what the work returns; undefined when it failed */
  async keep<Result>(work: Promise<Result>): Promise<Result | undefined> {
    try {
      return await work;
    } catch (error) {
      this.#first ??= { error };
      return undefined;
    }
  }

  /** @throws the error that was kept first */
  throwIfAny(): void {
    if (this.#first !== undefined) throw this.#first.error;
  }
}
