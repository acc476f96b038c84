// The build turns style sheets into text.
declare module "*.css" {
  const text: string;
  export default text;
}
