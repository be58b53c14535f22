/** The proxy itself turns the request down, before any database sees it. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}
