//! What the compiler says, word for word: errors that the macro itself makes,
//! and that of a field which is no machine. The words of the latter are the
//! compiler's own and change with its version.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
