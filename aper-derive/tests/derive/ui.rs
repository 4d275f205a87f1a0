//! What the compiler says. Only errors that the macro itself makes, word for
//! word, since the compiler's own change with its version.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
