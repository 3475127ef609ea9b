//! The words of courtesy, folded (lower case, no accents), one record a language.
//!
//! To add a language: one record in `LANGUAGES`, and two lines in `tests.rs`, one without content and one with.

/// What one language's courtesy is made of.
pub(super) struct Courtesy {
    /// Thanks; understood in every language.
    pub(super) thanks: &'static str,
    /// Says by itself that all is well.
    pub(super) confirming: &'static str,
    /// May stand around the others and says nothing alone. No negation, no "but".
    pub(super) around: &'static str,
    /// Courtesy only right behind a word of `binding`.
    pub(super) bound: &'static str,
    /// What binds them.
    pub(super) binding: &'static str,
    /// Whole phrases, parted by `|`, whose words would be content alone.
    pub(super) phrases: &'static str,
}

/// Beginnings of words that no name block has: somebody may cry `Thanks\nBroken`.
pub(super) const TROUBLE: &str = "broken urgent help error fail problem issue down lost stuck crash panne erreur bloqu urgence \
    probleme aide kaputt fehler defekt hilfe dringend ayuda roto averia guasto errore aiuto urgente erro ajuda avaria \
    storing fout hulp kapot dringend still again always toujours encore imprimante printer drucker ecran internet outlook \
    vpn wifi ordinateur computer server serveur mail";

/// Every language, in no order.
pub(super) const LANGUAGES: &[Courtesy] = &[
    Courtesy {
        thanks: "thanks thank thankyou thx tnx thnx ty tks cheers",
        confirming: "ok okay okey oki perfect perfectly great super awesome excellent brilliant fixed solved resolved works sorted \
            cool noted understood lovely fantastic wonderful amazing appreciated top nice wow yay hurray hooray",
        around: "you so very much many a lot for your the it is its s now everyone team guys all this that and well indeed \
            really just i we am m are happy kind kindly warm warmest best regards sincerely yours have has nice good great day \
            weekend evening afternoon morning week bye hi hello hey dear sir madam from my our both been once more \
            everything fine perfectly big truly of course be well too absolutely quick prompt fast swift such to",
        bound: "help support assistance response reply answer feedback time patience effort efforts work job service update \
            information info explanation reactivity solution fix kindness ticket message email side",
        binding: "your the quick fast prompt swift this that kind great such for of good rapid speedy amazing excellent nice my our",
        phrases: "works now | it works | it works again | it works now | it is working | it is working now | \
            it is working again | is working again | is working now | everything works again | works well | \
            works again | works fine | works perfectly | working now | working again | is working | it s working | \
            all working | works like a charm | thanks again | thank you again | again thanks | many thanks | \
            problem solved | problem fixed | problem resolved | problem is solved | problem is fixed | \
            problem is resolved | issue solved | issue fixed | issue resolved | issue is solved | issue is fixed | \
            issue is resolved | issue is now resolved | issue has been resolved | problem has been solved | \
            the issue is now fixed | up and running | back to normal | back up | all good | all set | all fine | \
            all clear | no problem | no problems | no worries | not at all | you can close | you can close it | \
            you can close this | you can close the ticket | you can close this ticket | please close the ticket | \
            please close this ticket | please close it | can be closed | feel free to close | well received | \
            received thanks | much appreciated | i appreciate it | appreciate it | really appreciate | \
            appreciate your | got it | will do | sounds good | that did it | that did the trick | that worked | \
            it worked | that fixed it | have a good one | take care | for helping | helping me | helping us | \
            you rock | you re the best | you are the best | keep up the good work | good to go | good job | \
            well done | for getting back | for getting back to me | for taking care | for looking into it | \
            for looking into this | for letting me know | for your help | makes sense | received with thanks | \
            for the heads up | for sorting this out | for sorting it out | for sorting this | for fixing this | \
            for fixing it | for your understanding | it s all good | for the info | for everything | in advance",
    },
    Courtesy {
        thanks: "merci mercii merciii mci remercie remercions remerciements",
        confirming: "ok okay oki dac dacc parfait parfaitement super genial nickel impeccable impec top cool excellent resolu regle \
            entendu note compris recu repare accord formidable extra bravo merveilleux formid niquel chouette ouf",
        around: "c est tout a vous toi beaucoup bien bcp tres infiniment encore mille fois grand un une pour votre ton ta vos \
            de du la le les l d et je nous j ai avons ca cela maintenant desormais enfin bonjour bonsoir salut hello madame \
            monsieur mme mr m mesdames messieurs bonne belle journee soiree semaine week end weekend excellent bon fin \
            cordialement cdt cdlt salutations bientot equipe toute vraiment vivement sincerement grandement si aussi dr apres midi \
            chaleureusement en effet rapide super avec plaisir amicalement respectueusement meilleures bises precieuse precieux",
        bound: "aide retour reponse intervention reactivite assistance rapidite travail efficacite soutien message mail \
            disponibilite comprehension info infos patience gentillesse attention prise charge explication explications information informations \
            solution professionnalisme compte temps ticket efforts support implication",
        binding: "votre vos ton ta tes l la le les cette cet de d pour rapide bonne belle super excellent excellente bon vive prompte \
            en prise leur sa",
        phrases: "ca marche | ca fonctionne | ca remarche | ca y est | ca refonctionne | tout marche | tout fonctionne | \
            tout remarche | cela fonctionne | cela marche | fonctionne bien | fonctionne parfaitement | \
            marche parfaitement | fonctionne de nouveau | fonctionne a nouveau | marche a nouveau | \
            marche de nouveau | ca fonctionne a nouveau | c est bon | c est ok | c est parfait | c est regle | \
            c est resolu | c est note | tout est ok | tout est bon | tout est rentre dans l ordre | \
            rentre dans l ordre | tout va bien | tout roule | probleme resolu | probleme regle | \
            le probleme est resolu | probleme est resolu | le probleme est regle | mon probleme est resolu | \
            pas de souci | pas de soucis | pas de probleme | aucun souci | aucun probleme | sans probleme | \
            sans souci | d accord | bien recu | bien note | message recu | au top | tout bon | au revoir | \
            vous pouvez cloturer | vous pouvez fermer | vous pouvez clore | vous pouvez cloturer le ticket | \
            vous pouvez fermer le ticket | vous pouvez clore le ticket | vous pouvez cloturer ma demande | \
            on peut cloturer | on peut fermer le ticket | ticket a cloturer | de rien | je vous en prie | a bientot | \
            bon courage | bonne continuation | prise en charge | prise en compte | bon week end | par avance | \
            d avance | pour tout | c etait parfait | tout est regle | tout est resolu | probleme solutionne | \
            j ai bien recu | c est tout bon | bien a vous | bien a toi | vous etes au top | vous etes formidables | \
            vous avez gere",
    },
    Courtesy {
        thanks: "danke dankeschon dankeschoen dank vielendank merci bedanke bedanken",
        confirming: "ok okay okey oki perfekt super prima toll klasse spitze wunderbar hervorragend erledigt gelost behoben geklart \
            verstanden top cool passt fein genial einwandfrei ausgezeichnet bestens alles",
        around: "sehr vielen herzlichen besten schonen lieben tausend ganz ihnen dir euch sie fur die der das den ihre ihr eure deine \
            ich wir es ist hat jetzt nun wieder und so auch gut gute guten tag abend morgen hallo hi moin servus liebe lieber \
            sehr geehrte geehrter frau herr damen herren team mit freundlichen grussen gruss grusse viele beste mfg lg vg \
            schones wochenende woche noch einen ein eine nochmals nochmal schnelle rasche prompte ja bitte sehr funktioniert wirklich \
            freundliche herzliche hat allen zusammen mich uns recht",
        bound: "hilfe antwort ruckmeldung unterstutzung reaktion bearbeitung muhe geduld arbeit info information service losung support \
            auskunft erledigung einsatz zeit",
        binding: "ihre ihr deine eure die der das fur schnelle rasche prompte gute tolle super den schnellen guten tollen ihren ihrer ihres liebe nette",
        phrases: "es funktioniert | funktioniert jetzt | funktioniert wieder | jetzt funktioniert es | jetzt funktioniert | \
            alles funktioniert | das funktioniert | es geht wieder | geht wieder | jetzt geht es | jetzt geht s | \
            es lauft | lauft wieder | es klappt | klappt jetzt | klappt wieder | hat geklappt | das hat geklappt | \
            hat funktioniert | problem gelost | problem behoben | problem ist gelost | problem ist behoben | \
            das problem ist gelost | das problem ist behoben | hat sich erledigt | kein problem | keine ursache | \
            gern geschehen | alles klar | alles gut | alles bestens | alles in ordnung | in ordnung | \
            kann geschlossen werden | ticket kann geschlossen werden | sie konnen das ticket schliessen | \
            bitte schliessen | zur kenntnis genommen | auf wiedersehen | bis bald | im voraus | hat geholfen | \
            das hat geholfen | vielen dank | passt so | tausend dank",
    },
    Courtesy {
        thanks: "gracias grasias agradezco agradecemos agradecido agradecida agradecidos",
        confirming: "ok okay oki vale perfecto perfecta genial estupendo excelente solucionado resuelto arreglado recibido entendido \
            anotado fantastico maravilloso super bravo listo top fenomenal",
        around: "muchas mil muchisimas muy mucho todo todos por su tu vuestra vuestro la el lo los las de a y ya es esta ahora hola buenos buenas \
            dias dia tardes noches estimado estimada senor senora equipo un una saludo saludos cordial cordiales atentamente \
            cordialmente bien si que tenga buen buena fin semana le les te se os gran rapida rapido tan usted ustedes nuevo otra vez de verdad",
        bound: "ayuda respuesta atencion gestion rapidez soporte apoyo colaboracion tiempo paciencia informacion solucion trabajo amabilidad servicio",
        binding: "su tu vuestra la el por rapida gran buena buen excelente pronta tan vuestro los las",
        phrases: "ya funciona | ahora funciona | funciona bien | funciona perfectamente | todo funciona | \
            funciona correctamente | ya esta | esta todo bien | todo bien | todo ok | todo correcto | \
            problema resuelto | problema solucionado | el problema esta resuelto | esta solucionado | esta resuelto | \
            ha quedado resuelto | ha quedado solucionado | sin problema | sin problemas | no hay problema | de nada | \
            de acuerdo | pueden cerrar el ticket | puede cerrar el ticket | pueden cerrar | pueden cerrarlo | \
            hasta luego | de antemano | me ha servido | funciona de nuevo | vuelve a funcionar | ya funciona todo | \
            un abrazo",
    },
    Courtesy {
        thanks: "grazie ringrazio ringraziamo grz",
        confirming: "ok okay oki perfetto perfetta ottimo ottima benissimo risolto risolta sistemato ricevuto capito fantastico eccellente \
            super bravi bravissimi top magnifico stupendo d'accordo",
        around: "mille molte tante infinite molto per il lo la le l un una vostro vostra suo sua tuo tua a voi lei te tutti tutto e ora adesso \
            di gentile gentilissimi signora signor buongiorno buonasera salve ciao cordiali distinti saluti saluto buona giornata \
            serata buon lavoro fine settimana weekend bene e' va vi davvero ancora gentilmente celere rapido rapida team ho gentilissimo tanto si del della",
        bound: "aiuto risposta supporto assistenza disponibilita rapidita intervento collaborazione pazienza tempo informazione informazioni gentilezza velocita lavoro cortesia",
        binding: "il la l lo vostro vostra suo sua tuo tua per rapida celere pronta veloce un buon ottimo ottima del della tempestivo rapido",
        phrases: "ora funziona | adesso funziona | funziona tutto | tutto funziona | funziona bene | \
            funziona perfettamente | funziona di nuovo | ha funzionato | tutto ok | tutto bene | tutto a posto | \
            e tutto a posto | problema risolto | il problema e risolto | e stato risolto | nessun problema | \
            di nulla | di niente | va bene | potete chiudere il ticket | potete chiudere | puo chiudere il ticket | \
            a presto | in anticipo | d accordo | ricevuto grazie | a posto",
    },
    Courtesy {
        thanks: "obrigado obrigada obrigados obrigadao agradeco agradecemos agradecido agradecida brigado",
        confirming: "ok okay oki perfeito perfeita otimo optimo excelente resolvido resolvida solucionado recebido entendido anotado \
            maravilha fantastico super beleza blz valeu certo top legal joia",
        around: "muito muita mil pela pelo por o a os as sua seu vossa vosso tua teu e agora ja esta tudo todos bom boa dia tarde noite ola oi \
            caro cara prezado prezada prezados senhor senhora equipe equipa cumprimentos atenciosamente melhores com abraco abracos \
            fim de semana um uma bem tao rapida rapido mais grande mesmo voces voce desde da do eu",
        bound: "ajuda resposta atencao apoio suporte rapidez colaboracao tempo paciencia informacao solucao trabalho disponibilidade retorno atendimento servico",
        binding: "pela pelo sua seu vossa vosso a o rapida bom boa excelente pronta tua otimo otima rapido",
        phrases: "ja funciona | agora funciona | esta funcionando | ja esta funcionando | funcionou | tudo funciona | \
            tudo funcionando | voltou a funcionar | funciona bem | tudo ok | tudo certo | tudo bem | \
            problema resolvido | o problema foi resolvido | foi resolvido | sem problema | sem problemas | \
            nao ha problema | de nada | podem fechar o ticket | pode fechar o chamado | podem fechar | pode fechar | \
            ate logo | ate breve | desde ja | esta tudo bem | ja esta resolvido | de acordo | funciona perfeitamente",
    },
    Courtesy {
        thanks: "bedankt dank dankje dankjewel dankuwel thanx",
        confirming: "ok okay oke oki okee perfect prima super top geweldig fantastisch mooi uitstekend opgelost begrepen genoteerd ontvangen \
            goed fijn akkoord helder tof duidelijk",
        around: "je u jullie wel zeer heel erg hartelijk hartelijke vriendelijk veel voor de het uw jouw en is alles nu weer hallo hoi \
            beste goedemorgen goedemiddag goedenavond dag mevrouw meneer heer team met vriendelijke groet groeten mvg groetjes fijne dag \
            weekend avond week een nog ja ook snelle snel goede echt we ik wij zo allemaal dat",
        bound: "hulp antwoord reactie ondersteuning moeite tijd geduld service info informatie werk oplossing terugkoppeling assistentie",
        binding: "uw je jullie de het snelle goede voor jouw fijne vlotte prima",
        phrases: "het werkt | werkt nu | werkt weer | het werkt weer | het werkt nu | alles werkt | alles werkt weer | \
            doet het weer | hij doet het weer | het doet het weer | dat werkt | het is gelukt | gelukt | \
            probleem opgelost | het probleem is opgelost | probleem is opgelost | geen probleem | graag gedaan | \
            in orde | komt goed | alles goed | is opgelost | ticket mag gesloten worden | mag gesloten worden | \
            u kunt het ticket sluiten | tot ziens | bij voorbaat | alvast bedankt | helemaal goed | dank u wel | \
            dank je wel | hartelijk dank",
    },
];
